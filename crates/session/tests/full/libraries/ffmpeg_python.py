import ffmpeg

pattern = ffmpeg.input("testsrc=duration=1:size=64x48:rate=10", f="lavfi")
ffmpeg.output(pattern, "test.mp4").run(quiet=True)
frames, _ = ffmpeg.input("test.mp4").output("pipe:", format="rawvideo", pix_fmt="rgb24").run(quiet=True, capture_stdout=True)
assert len(frames) == 10 * 64 * 48 * 3
