print("got sitecustomize.py")
