/* SPDX-License-Identifier: MIT */
/*
 * halfclose PORT: sends its standard input to the port of the loopback, closes its sending side
 * at once, and prints what comes back until the other side closes.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char bytes[65536];
	ssize_t got;

	if (argc != 2)
		return 2;
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		perror("halfclose");
		return 2;
	}
	while ((got = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0) {
		if (send(fd, bytes, (size_t)got, MSG_NOSIGNAL) != got)
			break;
	}
	shutdown(fd, SHUT_WR);
	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		fwrite(bytes, 1, (size_t)got, stdout);
	return 0;
}
