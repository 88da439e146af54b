print("got usercustomize.py")
