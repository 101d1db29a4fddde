-module(computing).
-export([cpu/1, preemption/2]).

cpu(Rounds) ->
    Alone = two_processes(1, Rounds),
    Together = two_processes(2, Rounds),
    figures:figure("speed-up", Alone / Together).

%% How long two processes compute on so many schedulers.
two_processes(Schedulers, Rounds) ->
    erlang:system_flag(schedulers_online, Schedulers),
    Began = figures:clock(),
    Both = [spawn_monitor(fun() -> compute(Rounds, 1) end) || _ <- [1, 2]],
    [receive {'DOWN', Monitor, process, _, normal} -> ok end || {_, Monitor} <- Both],
    figures:clock() - Began.

compute(0, Number) -> Number;
compute(Rounds, Number) ->
    compute(Rounds - 1, (Number * 1103515245 + 12345) band 16#7fffffff).

%% How late timers are, and how long exchanges of a message take, while so many others never stop.
preemption(Loops, Samples) ->
    erlang:system_flag(schedulers_online, 2),
    [spawn(fun() -> spins(0) end) || _ <- lists:seq(1, Loops)],
    Ponger = spawn(fun pong/0),
    {Late, Exchanges} = lists:unzip([sample(Ponger) || _ <- lists:seq(1, Samples)]),
    figures:percentiles({"late-p50", "late-p99"}, Late),
    figures:percentiles({"p50", "p99"}, Exchanges).

%% A timer's grain is a millisecond of the runtime's clock, so due is rounded up to one.
sample(Ponger) ->
    Due = erlang:monotonic_time(millisecond) + 2,
    erlang:send_after(Due, self(), due, [{abs, true}]),
    receive due -> ok end,
    Woken = figures:clock(),
    Ponger ! {ping, self()},
    receive pong -> ok end,
    {Woken - erlang:convert_time_unit(Due, millisecond, nanosecond), figures:clock() - Woken}.

pong() ->
    receive {ping, Pinger} -> Pinger ! pong, pong() end.

spins(Number) -> spins((Number + 1) band 16#ffffff).
