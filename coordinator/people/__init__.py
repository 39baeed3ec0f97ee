"""People: their accounts, their sessions at devices, and how a PIN is proven.

    accounts    who has an account, and as what; every change is durable first
    sessions    who is logged in where; a session ends by word, idleness, time or switch
    pins        what a PIN must be, and the slow hash that keeps it
    patience    how long the next try waits after wrong PINs; pure
    machine     the key by which whoever owns the files is known

Who may do what is not decided here: service/rights.py says it for each call, and
store/fold/people.py checks it again inside the commit.
"""
