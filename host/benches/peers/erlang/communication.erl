-module(communication).
-export([ping_pong/1, stream/3, latency/1, alternation/2, counts/3]).

ping_pong(Rounds) ->
    Ponger = spawn(fun pong/0),
    Began = figures:clock(),
    Sum = ping(Ponger, 0, Rounds, 0),
    figures:per_operation(Began, Rounds, Sum).

ping(_, Rounds, Rounds, Sum) -> Sum;
ping(Ponger, Round, Rounds, Sum) ->
    Ponger ! {self(), Round},
    receive {Ponger, Answer} -> ping(Ponger, Round + 1, Rounds, Sum + Answer) end.

pong() ->
    receive {Pinger, Number} -> Pinger ! {self(), Number}, pong() end.

stream(Capacity, Size, Messages) ->
    Sink = self(),
    Began = figures:clock(),
    Sum = case Size of
        8 ->
            spawn(fun() -> counts(0, Messages, channel:sender(Sink, Capacity)) end),
            add(Messages, channel:receiver(Capacity, 0), 0);
        _ ->
            spawn(fun() ->
                Rest = binary:copy(<<1>>, Size - 8),
                blocks(0, Messages, Rest, channel:sender(Sink, Capacity))
            end),
            add_blocks(Messages, Size - 9, channel:receiver(Capacity, 0), 0)
    end,
    figures:per_operation(Began, Messages, Sum).

counts(Count, Count, _) -> ok;
counts(Number, Count, Sender) -> counts(Number + 1, Count, channel:send(Number, Sender)).

add(0, _, Sum) -> Sum;
add(Messages, Receiver, Sum) ->
    {Number, Next} = channel:take(Receiver),
    add(Messages - 1, Next, Sum + Number).

%% Each block is made anew; what is sent is a reference to it.
blocks(Count, Count, _, _) -> ok;
blocks(Number, Count, Rest, Sender) ->
    Block = <<Number:64/little, Rest/binary>>,
    blocks(Number + 1, Count, Rest, channel:send(Block, Sender)).

add_blocks(0, _, _, Sum) -> Sum;
add_blocks(Messages, Middle, Receiver, Sum) ->
    {<<Number:64/little, _:Middle/binary, Last>>, Next} = channel:take(Receiver),
    add_blocks(Messages - 1, Middle, Next, Sum + Number + Last).

%% How long messages take to one who waits for them, from a sender that computes between them.
latency(Messages) ->
    Receiver = self(),
    spawn(fun() -> pulses(Receiver, Messages) end),
    Delays = [receive {sent, Sent} -> figures:clock() - Sent end || _ <- lists:seq(1, Messages)],
    figures:percentiles({"p50", "p99"}, Delays).

pulses(_, 0) -> ok;
pulses(Receiver, Messages) ->
    Sent = figures:clock(),
    Receiver ! {sent, Sent},
    compute_until(Sent + 200000),
    pulses(Receiver, Messages - 1).

compute_until(Time) ->
    case figures:clock() < Time of
        true -> compute_until(Time);
        false -> ok
    end.

%% A mailbox takes from whoever comes first.
alternation(Channels, Each) ->
    Sink = self(),
    [spawn(fun() -> counts(0, Each, channel:sender(Sink, 0)) end) || _ <- lists:seq(1, Channels)],
    Began = figures:clock(),
    Sum = add(Channels * Each, channel:receiver(0, 0), 0),
    figures:per_operation(Began, Channels * Each, Sum).
