print("got __init__.py")
