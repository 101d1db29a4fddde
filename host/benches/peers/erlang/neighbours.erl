-module(neighbours).
-export([beside/5]).

%% What part of its fair share a stream gets, of the rate that it has alone, beside so many
%% others of a kind.
beside(Workers, Capacity, Kind, Count, Milliseconds) ->
    erlang:system_flag(schedulers_online, Workers),
    Alone = rate(Capacity, Milliseconds),
    [neighbour(Kind) || _ <- lists:seq(1, Count)],
    Together = rate(Capacity, Milliseconds),
    Fair = min(1.0, 2 * Workers / (2 + Count)),
    figures:figure("share", Together / (Alone * Fair)).

neighbour(0) -> spawn(fun() -> spins(0) end);
neighbour(1) ->
    Drains = spawn(fun drains/0),
    Labours = spawn(fun() -> labours(channel:receiver(8, 0), Drains) end),
    spawn(fun() -> pours(0, channel:sender(Labours, 8)) end);
neighbour(2) -> spawn(fun yields/0);
neighbour(3) -> spawn(fun polls/0).

spins(Number) -> spins((Number + 1) band 16#ffffff).

yields() -> erlang:yield(), yields().

polls() ->
    receive never -> ok
    after 0 -> polls()
    end.

pours(Number, Sender) -> pours(Number + 1, channel:send(Number, Sender)).

%% Computes 30 ms for each item.
labours(Items, Drains) ->
    {Number, Next} = channel:take(Items),
    compute(figures:clock() + 30000000, Number),
    Drains ! {done, self()},
    receive taken -> labours(Next, Drains) end.

compute(Until, Number) ->
    Last = burn(10000, Number),
    case figures:clock() < Until of
        true -> compute(Until, Last);
        false -> Last
    end.

burn(0, Number) -> Number;
burn(Left, Number) -> burn(Left - 1, (Number * 3 + 1) band 16#ffffffff).

drains() ->
    receive {done, Labours} -> Labours ! taken, drains() end.

%% Messages a nanosecond, after a fourth of the time to warm up.
rate(Capacity, Milliseconds) ->
    Meter = self(),
    spawn(fun() ->
        Sink = self(),
        Source = spawn_link(fun() -> pours(0, channel:sender(Sink, Capacity)) end),
        Span = Milliseconds * 1000000,
        {_, Warm} = count(figures:clock() + Span div 4, 0, channel:receiver(Capacity, 0)),
        Began = figures:clock(),
        {Messages, _} = count(Began + Span, 0, Warm),
        Meter ! {rate, Messages / (figures:clock() - Began)},
        unlink(Source),
        exit(Source, kill)
    end),
    receive {rate, Rate} -> Rate end.

count(Until, Messages, Receiver) ->
    {_, Next} = channel:take(Receiver),
    case (Messages + 1) rem 16 =:= 0 andalso figures:clock() >= Until of
        true -> {Messages + 1, Next};
        false -> count(Until, Messages + 1, Next)
    end.
