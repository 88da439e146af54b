"""Marking written answers in a browser: pages served to this machine alone (`harness mark`).

::

    command.py what the command is about
    serve.py   what is marked, the socket, Ctrl-C
    app.py     addresses → answers
    guard.py   who may ask: host, origin, token
    desk.py    marks given and taken back, reports and board made again
    pages.py   what the page says
"""
