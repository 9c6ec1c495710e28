from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

key = Fernet(Fernet.generate_key())
assert key.decrypt(key.encrypt(b"secret")) == b"secret"
signer = Ed25519PrivateKey.generate()
signer.public_key().verify(signer.sign(b"message"), b"message")
