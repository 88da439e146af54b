print("got setup.py")
