#!/usr/bin/env python3
"""A server of EST (RFC 7030) for tests: enrols and re-enrols with the CA of `routevpn pki`.

usage: est_server.py PORT CERT KEY CLIENT-CA SIGN
SIGN is a shell command: it reads a request in PEM and prints the certificate in PEM.
"""

import base64
import http.server
import ssl
import subprocess
import sys

PATHS = ("/.well-known/est/simpleenroll", "/.well-known/est/simplereenroll")


def run(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path not in PATHS:
            return self.send_error(404)
        # A gateway renews with the certificate that it has (RFC 7030 section 3.3.2).
        if not self.connection.getpeercert():
            return self.send_error(401)
        der = base64.b64decode(body)
        request = run(["openssl", "req", "-inform", "DER"], der)
        certificate = run(["sh", "-c", self.server.sign], request)
        pkcs7 = run(["openssl", "crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin", "-outform", "DER"],
                    certificate)
        answer = base64.b64encode(pkcs7)  # strongSwan 5.9 takes no line breaks
        self.send_response(200)
        self.send_header("Content-Type", "application/pkcs7-mime; smime-type=certs-only")
        self.send_header("Content-Transfer-Encoding", "base64")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def main():
    port, certificate, key, client_ca, sign = sys.argv[1:]
    server = http.server.HTTPServer(("127.0.0.1", int(port)), Handler)
    server.sign = sign
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(client_ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("listening", flush=True)
    server.serve_forever()


main()
