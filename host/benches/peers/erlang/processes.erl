-module(processes).
-export([spawn_run_exit/1, parked/2, start/0]).

spawn_run_exit(Count) ->
    Began = figures:clock(),
    lives(Count),
    figures:per_operation(Began, Count, Count).

lives(0) -> ok;
lives(Count) ->
    {_, Monitor} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Monitor, process, _, normal} -> lives(Count - 1) end.

parked(Processes, Samples) ->
    Parker = self(),
    BytesBefore = resident(),
    MappingsBefore = mappings(),
    Began = figures:clock(),
    Sleepers = list_to_tuple([spawn(fun() -> parks(Parker) end) || _ <- lists:seq(1, Processes)]),
    [wake(Sleeper) || Sleeper <- tuple_to_list(Sleepers)],
    figures:figure("start", (figures:clock() - Began) / Processes),
    figures:figure("bytes", (resident() - BytesBefore) / Processes),
    figures:figure("mappings", (mappings() - MappingsBefore) / Processes),
    Delays = [wake(element(N * 7919 rem Processes + 1, Sleepers)) || N <- lists:seq(0, Samples - 1)],
    figures:percentiles({"p50", "p99"}, Delays).

wake(Sleeper) ->
    Sleeper ! {sent, figures:clock()},
    receive {delay, Delay} -> Delay end.

parks(Parker) ->
    receive {sent, Sent} -> Parker ! {delay, figures:clock() - Sent}, parks(Parker) end.

%% How many bytes of this program are in memory.
resident() ->
    Text = own("smaps_rollup"),
    {match, [Kilobytes]} = re:run(Text, "Rss: *([0-9]+)", [{capture, all_but_first, list}]),
    list_to_integer(Kilobytes) * 1024.

mappings() -> length(string:lexemes(own("maps"), "\n")).

own(File) -> os:cmd("cat /proc/" ++ os:getpid() ++ "/" ++ File).

start() ->
    Starter = self(),
    spawn(fun() -> Starter ! {message, "Hello, world!"} end),
    receive {message, Text} -> io:format("~s~n", [Text]) end.
