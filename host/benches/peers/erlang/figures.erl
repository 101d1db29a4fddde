%% How figures are taken and printed.
-module(figures).
-export([clock/0, figure/2, per_operation/3]).

clock() -> erlang:monotonic_time(nanosecond).

figure(Name, Value) when is_integer(Value) -> io:format("~s ~b~n", [Name, Value]);
figure(Name, Value) -> io:format("~s ~.3f~n", [Name, Value]).

%% How long each of so many operations took, and what came of them.
per_operation(Began, Operations, Check) ->
    figure("ns", (clock() - Began) / Operations),
    figure("check", Check).
