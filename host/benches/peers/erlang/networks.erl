-module(networks).
-export([ring/2, sieve/2, fan_in/2, fan_out/2]).

ring(Processes, Laps) ->
    First = pass_on(Processes - 1, self()),
    Began = figures:clock(),
    Token = laps(Laps, First, 0),
    figures:per_operation(Began, Processes * Laps, Token).

%% So many processes, the last of which sends to Next; gives the first.
pass_on(0, Next) -> Next;
pass_on(Processes, Next) -> pass_on(Processes - 1, spawn(fun() -> passes(Next) end)).

passes(Next) ->
    receive {token, Token} -> Next ! {token, Token + 1}, passes(Next) end.

laps(0, _, Token) -> Token;
laps(Laps, First, Token) ->
    First ! {token, Token},
    receive {token, Next} -> laps(Laps - 1, First, Next) end.

%% The head spawns the filter of each prime that comes to it; whatever the filter lets pass
%% comes to the head in turn.
sieve(Primes, Capacity) ->
    Began = figures:clock(),
    Head = self(),
    spawn(fun() -> start_sieve(Head, Primes, Capacity) end),
    receive {last, Prime} -> figures:per_operation(Began, 1, Prime) end.

start_sieve(Head, Primes, Capacity) ->
    First = spawn(fun() -> head(Head, Primes, Capacity) end),
    generate(2, channel:sender(First, Capacity)).

generate(Number, Sender) -> generate(Number + 1, channel:send(Number, Sender)).

head(Head, Left, Capacity) ->
    {Prime, Receiver} = channel:take(channel:receiver(Capacity, 0)),
    case Left of
        1 -> Head ! {last, Prime};
        _ ->
            Next = spawn(fun() -> head(Head, Left - 1, Capacity) end),
            filter(Prime, Receiver, channel:sender(Next, Capacity))
    end.

filter(Prime, Receiver, Sender) ->
    {Candidate, Rest} = channel:take(Receiver),
    case Candidate rem Prime of
        0 -> filter(Prime, Rest, Sender);
        _ -> filter(Prime, Rest, channel:send(Candidate, Sender))
    end.

fan_in(Workers, Each) -> communication:alternation(Workers, Each).

%% A worker asks for each number, because a mailbox cannot be shared.
fan_out(Workers, Each) ->
    Source = self(),
    [spawn(fun() -> worker(Source, 0) end) || _ <- lists:seq(1, Workers)],
    Began = figures:clock(),
    deal(0, Workers * Each),
    figures:per_operation(Began, Workers * Each, totals(Workers, 0)).

worker(Source, Sum) ->
    Source ! {ready, self()},
    receive
        {number, Number} -> worker(Source, Sum + Number);
        over -> Source ! {total, Sum}
    end.

deal(Count, Count) -> ok;
deal(Number, Count) ->
    receive {ready, Worker} -> Worker ! {number, Number} end,
    deal(Number + 1, Count).

totals(0, Sum) -> Sum;
totals(Workers, Sum) ->
    receive
        {ready, Worker} -> Worker ! over, totals(Workers, Sum);
        {total, Total} -> totals(Workers - 1, Sum + Total)
    end.
