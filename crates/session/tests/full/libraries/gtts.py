# The voice is a service on the network; what is sent to it is prepared here.
from gtts import gTTS
from gtts.lang import tts_langs

assert "pt" in tts_langs() and gTTS("olá", lang="pt").text == "olá"
