# fish completion for sse-tail, made by sse-tail --completions fish
complete -c sse-tail -f
function _sse_tail_at
	set -l token (commandline -ct | string replace -r '^--[^=]*=' '')
	set -l parts (string match -r '^((?:[^=]*=)?@)(.*)$' -- $token)
	or return
	set -l files (complete -C "'' $parts[3]")
	string join \n -- $parts[2]$files
end
function _sse_tail_topics
	set -l token (commandline -ct)
	set -l words (commandline -opc)
	set -l before $words[1]
	set -l operands
	for word in $words[2..]
		switch $before
		case -o --output -F --template --pointer --llm --wrap --color -e --event --not-event --exec --post --post-header --sign-key --give-up --failed -n --count --timeout --until --until-idle --done --done-event --retry-max --last-event-id --since --last --state --resume-from --reconnect-delay --read-timeout -d --data --json -X --request -H --header -u --user --oauth2-bearer --token-file -b --cookie -c --cookie-jar -x --proxy --unix-socket --cacert --cert --key --connect-timeout --complete-topics --completions
			set before ''
			continue
		end
		set before $word
		string match -q -- '-*' $word
		or set -a operands $word
	end
	string match -qr -- '^https?://' "$operands[1]"
	and return
	command -q sse-tail
	and command sse-tail --complete-topics="$token" 2>/dev/null </dev/null
end
complete -c sse-tail -a '(_sse_tail_topics)'
complete -c sse-tail -l output -s o -x -a 'pretty\t\'for people (default in a terminal)\' json\t\'one line per event (default in a pipe)\' data\t\'the data alone\' raw\t\'the bytes as they arrived\' sse\t\'an event stream\' template\t\'the text of -F\'' -d 'pretty: for people (default in a terminal); json: one line per event (default in a pipe); data: the data alone; raw: the bytes as they arrived; sse: an event stream; template: the text of -F'
complete -c sse-tail -l template -s F -x -d 'show each event as TEXT; %T: topic, %e: type, %i: id, %d: data'
complete -c sse-tail -l pointer -x -d 'show one value of JSON data, like /user/name (repeat)'
complete -c sse-tail -l join -s j -d 'write no newline after an event'
complete -c sse-tail -l null -s 0 -d 'end each event with a NUL, not a newline'
complete -c sse-tail -l nest -d 'with -o json, write JSON data as JSON, not as a string'
complete -c sse-tail -l llm -x -a 'openai\t\'\' anthropic\t\'\' ollama\t\'\'' -d 'show running text from openai, anthropic or ollama'
complete -c sse-tail -l time -s t -a 'iso\t\'2026-11-22T19:00:00.000Z (default)\' unix\t\'seconds since 1970\' delta\t\'seconds since the event before\'' -d 'show the time: iso (default), unix or delta'
complete -c sse-tail -l comments -d 'show comments, too'
complete -c sse-tail -l wrap -x -a 'wrap\t\'continue on the next line (default)\' cut\t\'cut them\' off\t\'leave them to the terminal\'' -d 'wrap (default) or cut long lines in a terminal, or neither (off)'
complete -c sse-tail -l color -x -a 'auto\t\'in a terminal (default)\' always\t\'also into a pipe or file\' never\t\'nowhere\'' -d 'use colour: always, never, or auto (in a terminal)'
complete -c sse-tail -l event -s e -x -d 'show only events of this type, like \'user.*\' (repeat)'
complete -c sse-tail -l not-event -x -d 'show no events of this type (repeat)'
complete -c sse-tail -l exec -x -d 'run COMMAND for each event, with its data as the input'
complete -c sse-tail -l lines -s l -d 'take each line as an event, whatever the Content-Type'
complete -c sse-tail -l strict -d 'end if events are missing or a command fails'
complete -c sse-tail -l post -x -d 'send each event to URL by POST, until it is accepted'
complete -c sse-tail -l post-header -x -d 'send this header with --post, \'Name: value\' (repeat)'
complete -c sse-tail -l sign-key -r -F -d 'sign the events of --post with the keys in FILE'
complete -c sse-tail -l give-up -x -d 'try to deliver each event for this long (3d)'
complete -c sse-tail -l failed -r -F -d 'append the events that --post gave up to FILE'
complete -c sse-tail -l count -s n -x -d 'end after COUNT events'
complete -c sse-tail -l timeout -x -d 'end after this time'
complete -c sse-tail -l until -x -a 'end\t\'the last event that is stored now\'' -d 'stop after the last event that is stored now (end)'
complete -c sse-tail -l until-idle -x -d 'end when no event has arrived for this long'
complete -c sse-tail -l done -x -d 'end at an event with this data, like [DONE] (repeat)'
complete -c sse-tail -l done-event -x -d 'end at an event of this type (repeat)'
complete -c sse-tail -l no-reconnect -d 'end when the stream ends or fails'
complete -c sse-tail -l retry-max -x -d 'end after COUNT retries in a row without an event'
complete -c sse-tail -l fail -d 'end at an answer of 408, 429 or 5xx, do not retry'
complete -c sse-tail -l flush-eof -d 'show an event that the end of the stream cut off'
complete -c sse-tail -l last-event-id -x -d 'resume after the event with this id'
complete -c sse-tail -l since -x -d 'begin with events since 10m ago, a date, a time, or all'
complete -c sse-tail -l last -x -d 'begin with the newest COUNT stored events'
complete -c sse-tail -l latest -d 'begin with the newest event of each subject'
complete -c sse-tail -l state -r -F -d 'resume after the id in FILE, and update FILE'
complete -c sse-tail -l resume-from -r -F -d 'resume after the id in FILE, do not update it'
complete -c sse-tail -l reconnect-delay -x -d 'pause at least this long before reconnecting (2s), or as the server says'
complete -c sse-tail -l read-timeout -x -d 'reconnect if nothing has arrived for this long (default: two heartbeats of the server, and 5s)'
complete -c sse-tail -l poll -d 'ask for the next events again and again, without a stream'
complete -c sse-tail -l reconnect -d 'reconnect even with -d, --json or -X, or after JSON lines'
complete -c sse-tail -l check -d 'say whether the stream is healthy, and what to fix'
complete -c sse-tail -l data -s d -x -a '(_sse_tail_at)' -d 'send DATA, or the contents of @FILE'
complete -c sse-tail -l json -x -a '(_sse_tail_at)' -d 'send DATA, which must be JSON'
complete -c sse-tail -l request -s X -x -d 'use this HTTP method'
complete -c sse-tail -l header -s H -x -d 'send this header, \'Name: value\' (repeat)'
complete -c sse-tail -l user -s u -x -d 'log in with this name and password'
complete -c sse-tail -l oauth2-bearer -x -d 'log in with this token'
complete -c sse-tail -l token-file -r -F -d 'log in with the token in this file, read for each attempt'
complete -c sse-tail -l netrc -d 'take the name and password from ~/.netrc'
complete -c sse-tail -l cookie -s b -r -F -d 'send these cookies, \'a=1; b=2\', or those in a file'
complete -c sse-tail -l cookie-jar -s c -r -F -d 'write the cookies to FILE at the end'
complete -c sse-tail -l proxy -s x -x -d 'use this proxy'
complete -c sse-tail -l unix-socket -r -F -d 'connect to this socket instead of the host'
complete -c sse-tail -l cacert -r -F -d 'trust the certificate authorities in this file'
complete -c sse-tail -l cert -r -F -d 'present this certificate to the server'
complete -c sse-tail -l key -r -F -d 'use this key for --cert, if its file has none'
complete -c sse-tail -l insecure -s k -d 'trust any certificate'
complete -c sse-tail -l connect-timeout -x -d 'give up connecting after this long (10s)'
complete -c sse-tail -l quiet -s q -d 'print no messages except the reason for a failure'
complete -c sse-tail -l verbose -s v -d 'explain each request and decision; -vv: headers, too'
complete -c sse-tail -l complete-topics -x -d 'print the topics that begin with WORD, for completions'
complete -c sse-tail -l help -s h -d 'print this help'
complete -c sse-tail -l version -s V -d 'print the program\'s and the libraries\' versions'
complete -c sse-tail -l completions -x -a 'bash\t\'\' zsh\t\'\' fish\t\'\'' -d 'print completions for bash, zsh or fish'
