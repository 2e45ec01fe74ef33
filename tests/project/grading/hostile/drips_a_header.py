"""Answers on the socket itself, with a header that comes a byte at a time and has no end."""

import socket
import threading
import time


def drip(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b".")
        time.sleep(1)


def serve():
    listener = socket.socket(fileno=3)
    while True:
        threading.Thread(target=drip, args=listener.accept()[:1], daemon=True).start()


threading.Thread(target=serve, daemon=True).start()
time.sleep(0.1)


def app(environ, start_response):
    time.sleep(60)
