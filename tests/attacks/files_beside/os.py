print("got os.py")
