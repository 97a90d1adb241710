# SPDX-License-Identifier: MIT
# What the scenarios of TLS share: a CA of their own, certificates, servers that speak TLS.
# shellcheck shell=bash disable=SC2034,SC2119,SC2120

load "${BASH_SOURCE[0]%/*}/serve_helpers"

# new_key FILE: a private key that only its owner can read.
new_key() {
	(umask 077 && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1")
}

# new_ca NAME: a CA, in NAME.pem and NAME.key.
new_ca() {
	new_key "$1.key"
	openssl req -x509 -new -key "$1.key" -days 30 -subj "/CN=$1" -out "$1.pem"
}

# certificate NAME SUBJECT [DAYS] [CA]: one that the CA signs, in NAME.pem and NAME.key.
certificate() {
	new_key "$1.key"
	openssl req -new -key "$1.key" -subj "$2" -out "$1.request"
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >names
	openssl x509 -req -in "$1.request" -CA "${4:-ca}.pem" -CAkey "${4:-ca}.key" -set_serial "$RANDOM" \
		-days "${3:-10}" -extfile names -out "$1.pem" 2>openssl.err
}

# tls_setup: the CA that all clients here trust, and a certificate of the server.
tls_setup() {
	common_setup
	new_ca ca
	certificate server /CN=localhost
	export CURL_CA_BUNDLE=$PWD/ca.pem SSE_CACERT=$PWD/ca.pem NODE_EXTRA_CA_CERTS=$PWD/ca.pem
}

# serve_tls [OPTION]...: a server with that certificate.
serve_tls() {
	serve --tls-cert server.pem --tls-key server.key "$@"
}

# client [OPTION]...: openssl's client at the server; what it says of the session is in said.
client() {
	timeout 30 openssl s_client -connect "127.0.0.1:$PORT" -servername localhost -CAfile ca.pem \
		"$@" >said 2>&1 3>&-
}

# other_address: one of this machine beyond loopback, or nothing.
other_address() {
	hostname -I 2>/dev/null | tr ' ' '\n' | grep -m 1 '\.' || true
}
