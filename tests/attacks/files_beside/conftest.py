print("got conftest.py")
