"""The ROS side of a managed cell: its lifecycle and its parameters.

Transitions arrive in the control thread; what they mean happens on the event loop, and
the control thread waits for it.

    unconfigured --configure--> inactive --activate--> active
                 <--cleanup---           <--deactivate--

Unconfigured, andon does nothing. Inactive, the robot is held and nothing can be
permitted. Active, the node keeps a session with the coordinator, which alone permits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from ros_nodes.config import ConfigRefusedError
from ros_nodes.parameters import DESCRIBED, Parameters, check, read_parameters

_log = logging.getLogger(__name__)

Deed = Coroutine[Any, Any, None]


class NotNowError(Exception):
    """A transition has to wait; the text is one sentence for people."""


class Deeds(Protocol):
    """What transitions mean. Runs on the event loop."""

    async def configure(self, parameters: Parameters) -> None:
        """Build the cell and hold its robot; raises ConfigRefusedError."""

    async def activate(self) -> None:
        """Seek a session with the coordinator."""

    async def deactivate(self) -> None:
        """Hold the robot and end the session."""

    async def cleanup(self) -> None:
        """Forget the cell; raises NotNowError while its robot does not stand."""

    async def give_up(self) -> None:
        """Hold the robot, end the session and forget the cell, whatever the state."""


class ManagedNode(LifecycleNode):
    """The node that users know.

    Args:
        name: What it is called.
        context: Context of all nodes of the process.
        deeds: What transitions mean.
        do: Runs a deed on the event loop and waits for it.
    """

    def __init__(
        self,
        name: str,
        context: Context,
        deeds: Deeds,
        do: Callable[[Deed], None],
    ) -> None:
        super().__init__(
            name,
            context=context,
            enable_rosout=False,
            automatically_declare_parameters_from_overrides=True,
        )
        self._deeds = deeds
        self._do = do
        self._configured = False
        self.state = "unconfigured"
        """Where the node is in its life, in the lifecycle's own words."""
        self.refusal = ""
        """Why the last transition was refused; "" when it was not."""
        for parameter, described in DESCRIBED.items():
            value: bool | str = described.default
            if self.has_parameter(parameter):
                value = self.get_parameter(parameter).value
                self.undeclare_parameter(parameter)
            # Of any type: what a value may be is said in one sentence when it is read.
            descriptor = ParameterDescriptor(
                description=described.text, dynamic_typing=True
            )
            self.declare_parameter(parameter, value, descriptor, ignore_override=True)
        self.add_on_set_parameters_callback(self._may_set)

    def said(self, parameter: str) -> bool | str:
        """What a parameter of this node says now."""
        value: bool | str = self.get_parameter(parameter).value
        return value

    # -------------------------------------------------------------------- transitions

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters and the file, and build the cell."""
        del state
        said = {name: one.value for name, one in self._all_parameters().items()}

        async def configure() -> None:
            await self._deeds.configure(read_parameters(said))

        done = self._transition(configure(), "inactive")
        self._configured = done is TransitionCallbackReturn.SUCCESS
        return done

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let the cell seek a session."""
        del state
        return self._transition(self._deeds.activate(), "active")

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold the robot and end the session."""
        del state
        return self._transition(self._deeds.deactivate(), "inactive")

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget the cell; its robot stays held."""
        del state
        done = self._transition(self._deeds.cleanup(), "unconfigured")
        self._configured = done is not TransitionCallbackReturn.SUCCESS
        return done

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold the robot, for good."""
        del state
        return self._transition(self._deeds.give_up(), "finalized")

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold the robot and begin anew: a transition failed."""
        del state
        self._configured = False
        why = self.refusal
        done = self._transition(self._deeds.give_up(), "unconfigured")
        self.refusal = self.refusal or why
        return done

    def _transition(self, deed: Deed, state: str) -> TransitionCallbackReturn:
        went_well = False
        self.refusal = ""
        try:
            self._do(deed)
            went_well = True
        except (ConfigRefusedError, NotNowError) as error:
            self.refusal = str(error)
            _log.error("%s", error)
            return TransitionCallbackReturn.FAILURE
        finally:
            # rclpy makes an ERROR of what is raised here, and keeps silent about it.
            if not went_well and not self.refusal:
                self.refusal = f"the way to {state} failed; see the log"
                _log.exception("the way to %s failed", state)
        _log.info("%s", state)
        self.state = state
        return TransitionCallbackReturn.SUCCESS

    # --------------------------------------------------------------------- parameters

    def _all_parameters(self) -> dict[str, Parameter]:
        return dict(self.get_parameters_by_prefix(""))

    def _may_set(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        """Refuse what cannot be lived with, and what is in use."""
        for parameter in parameters:
            described = DESCRIBED.get(parameter.name)
            if described is None:
                continue
            if self._configured and not described.at_work:
                reason = (
                    f"{parameter.name} is read-only while the node is configured; "
                    "clean it up first"
                )
                return SetParametersResult(successful=False, reason=reason)
            try:
                check(parameter.name, parameter.value)
            except ConfigRefusedError as error:
                return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)
