print("got numpy.py")
