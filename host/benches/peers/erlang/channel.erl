%% A bounded channel from one process to another. Erlang's own sends never wait, so the
%% receiver gives the sender credit: with capacity 0 one message at a time, each answered
%% when it is taken; with more, half of the capacity is given back at once.
-module(channel).
-export([sender/2, send/2, receiver/2, take/1]).

%% The state of a sender to the process To.
sender(To, Capacity) -> {To, Capacity, Capacity}.

send(Message, {To, 0, Credit}) ->
    To ! {message, self(), Message},
    receive taken -> {To, 0, Credit} end;
send(Message, {To, Capacity, 0}) ->
    receive {credit, Credit} -> send(Message, {To, Capacity, Credit}) end;
send(Message, {To, Capacity, Credit}) ->
    To ! {message, self(), Message},
    {To, Capacity, Credit - 1}.

%% The state of a receiver; Taken counts what has not been given back.
receiver(Capacity, Taken) -> {Capacity, max(1, Capacity div 2), Taken}.

take({0, Half, Taken}) ->
    receive
        {message, From, Message} ->
            From ! taken,
            {Message, {0, Half, Taken}}
    end;
take({Capacity, Half, Taken}) ->
    receive
        {message, From, Message} when Taken + 1 =:= Half ->
            From ! {credit, Half},
            {Message, {Capacity, Half, 0}};
        {message, _, Message} ->
            {Message, {Capacity, Half, Taken + 1}}
    end.
