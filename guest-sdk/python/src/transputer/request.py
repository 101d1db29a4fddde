"""Requests and replies: each request carries the channel that its reply goes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from .alternation import select
from .backend import NEVER, current
from .channel import Receiver, Sender
from .clock import patience
from .errors import Closed, Poisoned, Undecodable
from .payload.ends import End
from .payload.records import Record

__all__ = ["Client", "Request", "Server"]

Q = TypeVar("Q")
A = TypeVar("A")


class Request(Generic[Q, A]):
    """What a `Client` sends: a body, and where the reply is to go.

    Ports have it as the type of their messages: `requests: Receiver[Request[int, str]]`. Dropped without a
    reply, it makes the call raise `Closed`.
    """

    __slots__ = ("_reply", "body")

    def __init__(self, body: Q, reply: Sender[A]) -> None:
        self.body = body
        """What is asked."""
        self._reply = reply

    def _field(self, name: str) -> object:
        return self.body if name == "body" else self._reply

    def reply(self, answer: A) -> None:
        """Answers. Doesn't block: the reply's channel has room for it.

        Raises `Closed` when the client doesn't wait any longer.
        """
        with self._reply as sender:
            sender.send(answer)


class Client(Generic[Q, A]):
    """Calls a server: sends requests, and waits for their replies.

    >>> from transputer import Channel, Receiver, process
    >>> @process
    ... def squares(requests: Receiver[Request[int, int]]):
    ...     Server([requests]).serve(lambda n: n * n)
    >>> requests, served = Channel(Request[int, int])
    >>> child = squares(served).start()
    >>> server = Client(requests)
    >>> server.call(12)
    144
    >>> server.close(); child.join()
    """

    __slots__ = ("requests",)

    def __init__(self, requests: Sender[Request[Q, A]]) -> None:
        self.requests = requests

    def call(self, body: Q, *, timeout: float | None = None, deadline: float | None = None) -> A:
        """Asks, and blocks until the reply is there; with a timeout in seconds, or a deadline of `now`, it gives
        up with `TimedOut`, whether the server has the request by then or not.

        Raises `Closed` when the server has ended, or has dropped the request.
        """
        record = self.requests.payload
        assert isinstance(record, Record)
        end = record.by_name["reply"]
        assert isinstance(end, End)
        wait = patience(timeout, deadline)
        raw_reply, raw_replies = current().open(1, 0)
        reply: Sender[A] = end.make(raw_reply)
        replies: Receiver[A] = Receiver(raw_replies, reply.payload)
        self.requests._send(Request(body, reply), wait)
        try:
            return replies._receive(wait)
        except Closed:
            # A request that was dropped on its way closes the reply's channel; why is known where it
            # was sent.
            if self.requests.poison_reason is not None:
                try:
                    self.requests._open().send(b"", NEVER)
                except Poisoned as poisoned:
                    raise poisoned from None
            raise

    def close(self) -> None:
        """Lets the server know that no request will come from here."""
        self.requests.close()


class Server(Generic[Q, A]):
    """Answers the requests of many clients in fair turns; each client has a channel of its own.

    A client that fails poisons its own channel, and is left out from then on.
    """

    __slots__ = ("clients", "lost")

    def __init__(self, clients: Iterable[Receiver[Request[Q, A]]]) -> None:
        self.clients = list(clients)
        """The channels of those that have not ended, as far as is known."""
        self.lost: list[Exception] = []
        """How clients have ended that did not just close their end, and the requests that made no sense."""

    def next_request(self) -> Request[Q, A]:
        """The next request of any client. Raises `Closed` when all have ended."""
        while self.clients:
            try:
                chosen = select(*self.clients)
            except Undecodable as error:
                self.lost.append(error)
                continue
            if chosen.error is None:
                request: Request[Q, A] = chosen.message
                return request
            self.clients.pop(chosen.index)
            if not isinstance(chosen.error, Closed):
                self.lost.append(chosen.error)
        raise Closed

    def serve(self, answer: Callable[[Q], A]) -> None:
        """Answers every request with what `answer` makes of it, until all clients have ended. One that no
        longer waits for its reply is ignored.
        """
        while True:
            try:
                request = self.next_request()
            except Closed:
                return
            reply = answer(request.body)
            try:
                request.reply(reply)
            except (Closed, Poisoned):
                pass
