;; What it says of itself has lines of the host's, and moves the cursor.
(component
  (@custom "transputer:signature" "{\"version\":1,\"process\":\"kind\\u001b[2J\",\"doc\":\"Harmless.\\nimports: none\\u202e\",\"ports\":[{\"name\":\"in\\nerror: x\",\"direction\":\"input\",\"type\":\"u64\"}]}"))
