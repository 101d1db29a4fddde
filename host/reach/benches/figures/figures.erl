%% Sends binaries to a process on another node, so many of them on their way at once, and prints messages a second and
%% microseconds on the way.
-module(figures).
-export([main/1, receiver/3]).

main([Size, Count, Capacity]) ->
    run(number(Size), number(Count), number(Capacity)),
    halt().

number(Atom) -> list_to_integer(atom_to_list(Atom)).

run(Size, Count, Capacity) ->
    {ok, Path} = file:get_cwd(),
    [Folder | _] = [filename:dirname(code:which(?MODULE)), Path],
    [_, Host] = string:split(atom_to_list(node()), "@"),
    Arguments = ["-noinput", "-sname", "figures_b", "-setcookie", "figures", "-pa", Folder],
    Port = open_port({spawn_executable, os:find_executable("erl")}, [{args, Arguments}]),
    Other = list_to_atom("figures_b@" ++ Host),
    ok = connect(Other, 200),
    Began = os:system_time(nanosecond),
    Peer = spawn_link(Other, ?MODULE, receiver, [self(), Count, []]),
    send(Peer, binary:copy(<<7>>, Size - 8), Count, Capacity),
    receive
        {done, Ended, Latencies} -> report(Ended - Began, Count, lists:sort(Latencies))
    end,
    rpc:cast(Other, erlang, halt, []),
    catch port_close(Port),
    ok.

connect(Other, 0) -> {error, Other};
connect(Other, Tries) ->
    case net_kernel:connect_node(Other) of
        true -> ok;
        _ -> timer:sleep(50), connect(Other, Tries - 1)
    end.

send(_, _, 0, _) -> ok;
send(Peer, Rest, Count, 0) ->
    receive credit -> send(Peer, Rest, Count, 1) end;
send(Peer, Rest, Count, Credit) ->
    Now = os:system_time(nanosecond),
    Peer ! {message, <<Now:64, Rest/binary>>},
    send(Peer, Rest, Count - 1, Credit - 1).

receiver(Sender, 0, Latencies) ->
    Sender ! {done, os:system_time(nanosecond), Latencies};
receiver(Sender, Count, Latencies) ->
    receive
        {message, <<Sent:64, _/binary>>} ->
            Latency = os:system_time(nanosecond) - Sent,
            Sender ! credit,
            receiver(Sender, Count - 1, [Latency | Latencies])
    end.

report(Nanos, Count, Sorted) ->
    At = fun(Share) -> lists:nth(max(1, Count * Share div 100), Sorted) / 1000 end,
    io:format("~f ~f ~f~n", [Count * 1.0e9 / Nanos, At(50), At(99)]).
