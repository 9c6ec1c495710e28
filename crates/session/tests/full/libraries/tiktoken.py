# Encodings are fetched; one of our own shows that the tokenizer works.
import tiktoken

ranks = {bytes([byte]): byte for byte in range(256)} | {b"ab": 256, b"abc": 257}
encoding = tiktoken.Encoding("tiny", pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens={})
assert encoding.encode("abc ab") == [257, 32, 256] and encoding.decode([257]) == "abc"
