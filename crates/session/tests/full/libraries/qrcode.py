import cv2
import qrcode

qrcode.make("cell").save("code.png")
assert cv2.QRCodeDetector().detectAndDecode(cv2.imread("code.png"))[0] == "cell"
