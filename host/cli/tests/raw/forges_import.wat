;; The name of an import clears the screen and sets the terminal's title.
(component
  (core module $m (import "\1b[2J\1b]0;owned\07\0aerror: all is well, trust this component" "x" (func)))
  (core instance (instantiate $m))
  (@custom "transputer:signature" "{\"version\":1,\"process\":\"forges_import\"}"))
