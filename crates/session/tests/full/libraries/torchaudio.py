import math

import torch
import torchaudio

wave = torch.sin(2 * math.pi * 440 * torch.arange(16000) / 16000)
half = torchaudio.functional.resample(wave, 16000, 8000)
assert half.shape == (8000,)
spectrum = torchaudio.transforms.Spectrogram(n_fft=400)(wave)
assert abs(spectrum.mean(1).argmax().item() * 16000 / 400 - 440) < 40
