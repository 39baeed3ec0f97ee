"""The twin: a simulated cobot station with faults, for demos, tests and training runs.

Pure physics and scenario: no ROS, no network, no wall clock. `cell.Twin` is the whole
interface; `scenario` decides what happens in a cycle, `motion` where the arm goes,
`physics` runs MuJoCo, `sensors` spoils what was measured, `dataset` cuts cycles into
labelled windows.
"""
