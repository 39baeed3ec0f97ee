"""Recordings on disk, read and played: MCAP files, rosbag2 folders, CSV.

`opening` picks the reader, `terms` are the values they agree on, `choice` says which
topics are played, `player` keeps their time. Pure: nothing here knows rclpy.
"""
