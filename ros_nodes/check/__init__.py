"""Before start: does the ROS graph have what a cell's configuration names?

`wants` says what a cell needs, `check_node` looks what is there (`seen`), `findings`
compares the two, and `report` writes what came of it for people and programs. All but
the looking is pure.
"""
