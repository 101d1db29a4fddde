%% How figures are taken and printed.
-module(figures).
-export([clock/0, figure/2, per_operation/3, percentiles/2]).

clock() -> erlang:monotonic_time(nanosecond).

figure(Name, Value) when is_integer(Value) -> io:format("~s ~b~n", [Name, Value]);
figure(Name, Value) -> io:format("~s ~.3f~n", [Name, Value]).

%% How long each of so many operations took, and what came of them.
per_operation(Began, Operations, Check) ->
    figure("ns", (clock() - Began) / Operations),
    figure("check", Check).

%% The 50th and the 99th percentile.
percentiles({Middle, High}, Values) ->
    Sorted = lists:sort(Values),
    figure(Middle, lists:nth(length(Values) div 2 + 1, Sorted)),
    figure(High, lists:nth(length(Values) * 99 div 100 + 1, Sorted)).
