# fish completion for sse-post, made by sse-post --completions fish
complete -c sse-post -f
function _sse_post_at
	set -l token (commandline -ct | string replace -r '^--[^=]*=' '')
	set -l parts (string match -r '^((?:[^=]*=)?@)(.*)$' -- $token)
	or return
	set -l files (complete -C "'' $parts[3]")
	string join \n -- $parts[2]$files
end
complete -c sse-post -a '(_sse_post_at)'
function _sse_post_topics
	set -l token (commandline -ct)
	set -l words (commandline -opc)
	set -l before $words[1]
	set -l operands
	for word in $words[2..]
		switch $before
		case -d --data -f --file -e --event --subject --as -i --input --parallel --rate --batch --state --retry-max-time --timeout --idempotency-key --idempotency-key-from --if-match --delete --spool --spool-max --spool-max-size --spool-max-age -o --output -X --request -H --header -u --user --oauth2-bearer --token-file -b --cookie -c --cookie-jar -x --proxy --unix-socket --cacert --cert --key --connect-timeout --complete-topics --completions
			set before ''
			continue
		end
		set before $word
		string match -q -- '-*' $word
		or set -a operands $word
	end
	set -q operands[1]
	and return
	command -q sse-post
	and command sse-post --complete-topics="$token" 2>/dev/null </dev/null
end
complete -c sse-post -a '(_sse_post_topics)'
complete -c sse-post -l data -s d -x -a '(_sse_post_at)' -d 'send DATA, unchanged; @FILE sends a file, - the standard input'
complete -c sse-post -l file -s f -r -F -d 'send the contents of FILE, by default as one event'
complete -c sse-post -l event -s e -x -d 'set the type of the event (sse-serve\'s default: update)'
complete -c sse-post -l subject -x -d 'name the thing whose present value the event gives; -d \'\' clears it'
complete -c sse-post -l close -d 'close the topic for good, after the data, if there is any'
complete -c sse-post -l as -x -a 'auto\t\'JSON if valid, else text (default)\' json\t\'JSON\' text\t\'plain text\' form\t\'fields of a form\'' -d 'send as json, text or form; auto (default): JSON if valid, else text'
complete -c sse-post -l lines -s l -d 'send each line as an event (the default for a pipe)'
complete -c sse-post -l null -s 0 -d 'send each NUL-terminated record as an event'
complete -c sse-post -l slurp -s s -d 'send all of the standard input as one event'
complete -c sse-post -l envelopes -s E -d 'read lines like {"event","id","data"}, from sse-tail -o json'
complete -c sse-post -l input -s i -x -a 'auto\t\'by the kind of input (default)\' lines\t\'each line is an event\' nul\t\'each NUL-terminated record is an event\' whole\t\'all of it is one event\' envelope\t\'each line is an envelope\' sse\t\'an event stream\'' -d 'read the input as lines, nul, whole, envelope, or sse (an event stream)'
complete -c sse-post -l skip-bad -d 'continue after an event that is not valid or is refused'
complete -c sse-post -l parallel -x -d 'send over N connections; the order is not kept'
complete -c sse-post -l rate -x -d 'send at most N events a second; also N/m, N/h'
complete -c sse-post -l batch -x -a 'auto\t\'where the server takes it (default)\' always\t\'also where the server may not\' never\t\'one event a request\'' -d 'send many events in one request: always, never; auto (default)'
complete -c sse-post -l state -r -F -d 'keep the id of the last accepted event of the input in FILE'
complete -c sse-post -l retry-max-time -x -d 'retry each request for this long (30s); 0: never'
complete -c sse-post -l timeout -x -d 'end after this time, even if there is more to send (0: never)'
complete -c sse-post -l idempotency-key -x -d 'set the event\'s key; the server stores only one event per key'
complete -c sse-post -l idempotency-key-from -x -d 'take the key from the JSON data, like /order/id'
complete -c sse-post -l if-match -x -d 'store the event only if the newest of its topic is ID; *: any event'
complete -c sse-post -l delete -x -d 'delete the event with this id from the topic, and send nothing'
complete -c sse-post -l at-most-once -d 'send no key, and do not retry what may have been stored'
complete -c sse-post -l spool -x -a '(__fish_complete_directories)' -d 'keep events that cannot be sent now in DIR; a later run sends them'
complete -c sse-post -l spool-max -x -d 'keep at most N events for one URL (100000)'
complete -c sse-post -l spool-max-size -x -d 'keep at most this many bytes for one URL (1G)'
complete -c sse-post -l spool-max-age -x -d 'do not send events that have waited longer (0: no limit)'
complete -c sse-post -l flush -d 'send only the events in the spool, for all URLs or this one'
complete -c sse-post -l spool-status -d 'show how many events wait, and send nothing'
complete -c sse-post -l output -s o -x -a 'none\t\'nothing (default)\' json\t\'a line of JSON for each event\'' -d 'print what became of each event: json, one object per line; none (default)'
complete -c sse-post -l request -s X -x -d 'use this HTTP method'
complete -c sse-post -l header -s H -x -d 'send this header, \'Name: value\' (repeat)'
complete -c sse-post -l user -s u -x -d 'log in with this name and password'
complete -c sse-post -l oauth2-bearer -x -d 'log in with this token'
complete -c sse-post -l token-file -r -F -d 'log in with the token in this file, read for each attempt'
complete -c sse-post -l netrc -d 'take the name and password from ~/.netrc'
complete -c sse-post -l cookie -s b -r -F -d 'send these cookies, \'a=1; b=2\', or those in a file'
complete -c sse-post -l cookie-jar -s c -r -F -d 'write the cookies to FILE at the end'
complete -c sse-post -l proxy -s x -x -d 'use this proxy'
complete -c sse-post -l unix-socket -r -F -d 'connect to this socket instead of the host'
complete -c sse-post -l cacert -r -F -d 'trust the certificate authorities in this file'
complete -c sse-post -l cert -r -F -d 'present this certificate to the server'
complete -c sse-post -l key -r -F -d 'use this key for --cert, if its file has none'
complete -c sse-post -l insecure -s k -d 'trust any certificate'
complete -c sse-post -l connect-timeout -x -d 'give up connecting after this long (10s)'
complete -c sse-post -l quiet -s q -d 'print no messages except the reason for a failure'
complete -c sse-post -l verbose -s v -d 'explain each request and decision; -vv: headers, too'
complete -c sse-post -l complete-topics -x -d 'print the topics that begin with WORD, for completions'
complete -c sse-post -l help -s h -d 'print this help'
complete -c sse-post -l version -s V -d 'print the program\'s and the libraries\' versions'
complete -c sse-post -l completions -x -a 'bash\t\'\' zsh\t\'\' fish\t\'\'' -d 'print completions for bash, zsh or fish'
