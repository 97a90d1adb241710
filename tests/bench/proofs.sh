# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Makes what the benchmark of --access needs.  Source it.
#
# make_proofs BIN FOLDER COUNT: with the sse-serve in BIN, makes in FOLDER
#   access         the file of --access, with COUNT lines
#   keys           that of --jwt-keys, with a key for each algorithm
#   token.headers  COUNT lines, each the Authorization header of one token
#   HS256.headers  as many, of JWTs
#   RS256.headers, ES256.headers, each a single line

base64url() {
	base64 | tr -d '=\n' | tr '+/' '-_'
}

# from_hex: the bytes that the digits on stdin stand for.
from_hex() {
	local digits
	digits=$(tr -d ' \n')
	# shellcheck disable=SC2001,SC2059 # what it is made of is known
	printf "$(sed 's/../\\x&/g' <<<"$digits")"
}

# raw_ecdsa: the two numbers of a signature in DER, each of 32 bytes (RFC 7518, section 3.4).
raw_ecdsa() {
	openssl asn1parse -inform DER | sed -n 's/.*INTEGER *://p' | while read -r number; do
		printf '%64s' "$number" | tr ' ' 0
	done | from_hex
}

# make_keys FOLDER
make_keys() {
	local point modulus
	openssl rand -hex 32 >"$1/HS256.key"
	openssl genrsa -out "$1/RS256.key" 2048 2>/dev/null
	openssl ecparam -name prime256v1 -genkey -noout -out "$1/ES256.key"
	modulus=$(openssl rsa -in "$1/RS256.key" -noout -modulus | sed 's/^Modulus=//')
	openssl ec -in "$1/ES256.key" -pubout -outform DER 2>/dev/null | tail -c 64 >"$1/point"
	point=$1/point
	(umask 077 && cat >"$1/keys") <<-KEYS
		{"keys": [
		{"kty": "oct", "kid": "HS256", "k": "$(from_hex <"$1/HS256.key" | base64url)"},
		{"kty": "RSA", "kid": "RS256", "e": "AQAB", "n": "$(from_hex <<<"$modulus" | base64url)"},
		{"kty": "EC", "kid": "ES256", "crv": "P-256",
			"x": "$(head -c 32 "$point" | base64url)", "y": "$(tail -c 32 "$point" | base64url)"}]}
	KEYS
}

# sign FOLDER ALGORITHM: the signature of stdin.
sign() {
	case $2 in
	HS256) openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(cat "$1/HS256.key")" -binary ;;
	RS256) openssl dgst -sha256 -sign "$1/RS256.key" ;;
	ES256) openssl dgst -sha256 -sign "$1/ES256.key" | raw_ecdsa ;;
	esac
}

# jwt FOLDER ALGORITHM NUMBER: the header of a JWT that may publish and read bench.
jwt() {
	local signed
	signed=$(printf '{"alg":"%s","kid":"%s"}' "$2" "$2" | base64url).$(
		printf '{"sub":"user%s","exp":%s,"sse":{"publish":["bench"],"read":["bench"]}}' \
			"$3" $(($(date +%s) + 86400)) | base64url
	)
	echo "Authorization: Bearer $signed.$(printf '%s' "$signed" | sign "$1" "$2" | base64url)"
}

make_proofs() {
	local bin=$1 folder=$2 count=$3 i
	make_keys "$folder"
	for ((i = 0; i < count; i++)); do
		"$bin/sse-serve" --new-token "user$i" 2>>"$folder/tokens"
	done >"$folder/access"
	chmod 600 "$folder/access"
	sed 's/^/Authorization: Bearer /' "$folder/tokens" >"$folder/token.headers"
	for ((i = 0; i < count; i++)); do
		jwt "$folder" HS256 "$i"
	done >"$folder/HS256.headers"
	jwt "$folder" RS256 0 >"$folder/RS256.headers"
	jwt "$folder" ES256 0 >"$folder/ES256.headers"
}
