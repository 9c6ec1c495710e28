import wave

import mutagen.id3
import mutagen.wave

with wave.open("tone.wav", "wb") as file:
    file.setparams((1, 2, 8000, 0, "NONE", ""))
    file.writeframes(bytes(16000))
tone = mutagen.wave.WAVE("tone.wav")
tone.add_tags()
tone.tags.add(mutagen.id3.TIT2(text="A tone"))
tone.save()
tone = mutagen.wave.WAVE("tone.wav")
assert tone.info.length == 1.0 and str(tone.tags["TIT2"]) == "A tone"
