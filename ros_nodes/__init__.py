"""The nodes of a cell: ROS 2 on one side, the coordinator's gRPC contract on the other.

One process a cell subscribes to the sensors, cuts windows, streams them to the
coordinator and applies its permits and holds, judged by the node's own clock. Only
`*_node.py` and `qos.py` import rclpy; the twin behind the simulated cell is pure.
"""
