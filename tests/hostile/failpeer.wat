;; Fails with a text of 60 MiB, which is why its channel is poisoned.

(@custom "transputer:signature" "{\"version\":1,\"process\":\"failpeer\",\"ports\":[{\"name\":\"out\",\"direction\":\"output\",\"type\":\"list<u8>\"}]}")
(func (export "run") (param i32 i32 i32 i32 i32 i32) (result i32)
  (drop (memory.grow (i32.const 960)))           ;; 62 MiB in all
  (memory.fill (i32.const 0x20000) (i32.const 0x41) (i32.const 62914560)) ;; 60 MiB of A
  (i32.store8 (i32.const 0) (i32.const 1))
  (i32.store (i32.const 4) (i32.const 0x20000))
  (i32.store (i32.const 8) (i32.const 62914560))
  (i32.const 0))
