import numpy as np
from moviepy import VideoClip, VideoFileClip

clip = VideoClip(lambda time: np.full((48, 64, 3), 200 * time, np.uint8), duration=1)
clip.write_videofile("clip.mp4", fps=10, logger=None)
with VideoFileClip("clip.mp4") as clip:
    frames = list(clip.iter_frames())
    assert len(frames) == 10 and clip.size == [64, 48] and frames[9].mean() > 150 > frames[0].mean()
