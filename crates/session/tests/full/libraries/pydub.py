from pydub import AudioSegment
from pydub.generators import Sine

tone = Sine(440).to_audio_segment(duration=1000).fade_out(200) - 6
tone.export("tone.wav", format="wav")
assert len(AudioSegment.from_wav("tone.wav")) == 1000
tone.export("tone.mp3", format="mp3")
if HERE:
    assert abs(len(AudioSegment.from_mp3("tone.mp3")) - 1000) < 100
