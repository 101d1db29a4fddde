%% The programs of the table of peers, in Erlang. `erl -noshell -run peers main CASE
%% ARGUMENT...` runs one and prints what it measured, a figure on each line.
-module(peers).
-export([main/1]).

main([Case | Texts]) ->
    Arguments = [list_to_integer(Text) || Text <- Texts],
    run(Case, Arguments),
    halt().

run("ping-pong", [Rounds]) -> communication:ping_pong(Rounds);
run("stream", [Capacity, Size, Messages]) -> communication:stream(Capacity, Size, Messages);
run("latency", [0, Messages]) -> communication:latency(Messages);
run("alternation", [Channels, Each]) -> communication:alternation(Channels, Each);
run("ring", [Processes, Laps]) -> networks:ring(Processes, Laps);
run("sieve", [Primes, Capacity]) -> networks:sieve(Primes, Capacity);
run("fan-in", [Workers, Each]) -> networks:fan_in(Workers, Each);
run("fan-out", [Workers, Each]) -> networks:fan_out(Workers, Each);
run("spawn", [Count]) -> processes:spawn_run_exit(Count);
run("parked", [Processes, Samples]) -> processes:parked(Processes, Samples);
run("cpu", [Rounds]) -> computing:cpu(Rounds);
run("preemption", [Loops, Samples]) -> computing:preemption(Loops, Samples);
run("beside", [Workers, Capacity, Kind, Count, Milliseconds]) ->
    neighbours:beside(Workers, Capacity, Kind, Count, Milliseconds);
run("start", []) -> processes:start().
