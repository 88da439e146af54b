print("got json.py")
