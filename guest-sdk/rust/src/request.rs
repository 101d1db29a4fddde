//! Requests and replies: each request carries the channel that its reply goes to.

use std::fmt;
use std::time::Duration;

use crate::alternation::receive_any;
use crate::bindings::transputer::csp::channel::Patience;
use crate::channel::{Receiver, Sender, channel};
use crate::error::{Error, Undecodable};
use crate::message::{AsMessage, Message, Reader, Type, Writer};
use crate::process::{Instant, now};

/// What a [`Client`] sends: a body, and where the reply is to go.
///
/// Ports have it as the type of their messages: `requests: Receiver<Request<u64, String>>`.
/// Dropped without a reply, it makes the call fail with [`Error::Closed`].
#[derive(Debug)]
pub struct Request<Q, A> {
    /// What is asked.
    pub body: Q,
    reply: Sender<A>,
}

impl<Q: Message, A: Message> Request<Q, A> {
    /// Answers. Doesn't block: the reply's channel has room for it.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] when the client doesn't wait any longer, the poison's error when it has
    /// ended abnormally; otherwise those of [`Sender::send`].
    pub fn reply(self, answer: impl AsMessage<A>) -> Result<(), Error> {
        self.reply.send(answer)
    }
}

impl<Q: Message, A: Message> Message for Request<Q, A> {
    const TYPE: &'static Type =
        &Type::Record(&[("body", Q::TYPE), ("reply", &Type::Sender(A::TYPE))]);

    fn write(&self, writer: &mut Writer) {
        write(&self.body, &self.reply, writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let (mut body, mut reply) = (None, None);
        reader.record(Self::TYPE, &mut |reader, name| match name {
            "body" => reader.field(name, &mut body),
            "reply" => reader.field(name, &mut reply),
            _ => reader.skip(),
        })?;
        Ok(Request {
            body: reader.required("body", body)?,
            reply: reader.required("reply", reply)?,
        })
    }
}

fn write<Q: Message, A: Message>(body: &Q, reply: &Sender<A>, writer: &mut Writer) {
    writer.map(2);
    writer.text("body");
    body.write(writer);
    writer.text("reply");
    reply.write(writer);
}

/// Calls a server: sends requests, and waits for their replies.
///
/// ```no_run
/// use std::time::Duration;
/// use transputer_guest::{Client, Error, Request, Sender};
///
/// #[transputer_guest::process]
/// fn asks(requests: Sender<Request<u64, u64>>, squares: Sender<u64>) -> Result<(), Error> {
///     let server = Client::new(requests);
///     squares.send(&server.call(&12)?)?;
///     match server.call_timeout(&13, Duration::from_secs(1)) {
///         Err(Error::TimedOut) => Ok(()),
///         square => squares.send(&square?),
///     }
/// }
/// # fn main() {}
/// ```
pub struct Client<Q, A> {
    requests: Sender<Request<Q, A>>,
}

impl<Q: Message, A: Message> Client<Q, A> {
    /// A client that sends its requests here.
    pub fn new(requests: Sender<Request<Q, A>>) -> Self {
        Client { requests }
    }

    /// Asks, and blocks until the reply is there.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] when the server has ended, or has dropped the request; the poison's
    /// error when the server ended abnormally; those of [`Sender::send`] and
    /// [`Receiver::receive`].
    pub fn call(&self, body: impl AsMessage<Q>) -> Result<A, Error> {
        self.call_within(body.as_message(), Patience::Forever)
    }

    /// Like [`call`](Client::call), but gives up at `deadline`, whether the server has the
    /// request by then or not. A reply that comes later is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`]; otherwise those of [`call`](Client::call).
    pub fn call_by(&self, body: impl AsMessage<Q>, deadline: Instant) -> Result<A, Error> {
        self.call_within(body.as_message(), Patience::Until(deadline.nanoseconds()))
    }

    /// Like [`call_by`](Client::call_by), at this much time from now.
    ///
    /// # Errors
    ///
    /// Those of [`call_by`](Client::call_by).
    pub fn call_timeout(&self, body: impl AsMessage<Q>, timeout: Duration) -> Result<A, Error> {
        self.call_by(body, now() + timeout)
    }

    fn call_within(&self, body: &Q, patience: Patience) -> Result<A, Error> {
        let (reply, replies) = channel(1)?;
        let mut writer = Writer::new(Vec::new());
        write(body, &reply, &mut writer);
        self.requests.end().send(writer, patience)?;
        replies
            .receive_within(patience)
            .map_err(|error| match error {
                // A request that was dropped on its way closes the reply's channel; why is
                // known where it was sent.
                Error::Closed => self.requests.end().poisoned().unwrap_or(error),
                error => error,
            })
    }
}

impl<Q, A> fmt::Debug for Client<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.requests).finish()
    }
}

/// Answers the requests of many clients in fair turns; each client has a channel of its own.
///
/// A client that traps poisons its own channel, and is left out from then on; the others are
/// served as before. (Clients that share one channel share its end as well: give each its own
/// port.)
///
/// ```no_run
/// use transputer_guest::{Error, Receiver, Request, Server};
///
/// #[transputer_guest::process]
/// fn squares(
///     a: Receiver<Request<u64, u64>>,
///     b: Receiver<Request<u64, u64>>,
/// ) -> Result<(), Error> {
///     Server::new([a, b]).serve(|n| n * n)
/// }
/// # fn main() {}
/// ```
pub struct Server<Q, A> {
    clients: Vec<Receiver<Request<Q, A>>>,
    lost: Vec<Error>,
}

impl<Q: Message, A: Message> Server<Q, A> {
    /// A server of the clients at these channels.
    pub fn new(clients: impl IntoIterator<Item = Receiver<Request<Q, A>>>) -> Self {
        Server {
            clients: clients.into_iter().collect(),
            lost: Vec::new(),
        }
    }

    /// Serves the client at this channel as well.
    pub fn add(&mut self, client: Receiver<Request<Q, A>>) {
        self.clients.push(client);
    }

    /// How many clients have not ended, as far as is known.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// The next request of any client. Requests that cannot be decoded are dropped, and kept
    /// for [`take_lost`](Server::take_lost).
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] when all clients have ended; [`Error::Overloaded`] for more of them than
    /// an alternation may have guards.
    pub fn next_request(&mut self) -> Result<Request<Q, A>, Error> {
        while !self.clients.is_empty() {
            let (index, request) = receive_any(&self.clients)?;
            match request {
                Ok(request) => return Ok(request),
                Err(error) => {
                    if !matches!(error, Error::Undecodable(_)) {
                        self.clients.remove(index);
                    }
                    self.lost.extend((error != Error::Closed).then_some(error));
                }
            }
        }
        Err(Error::Closed)
    }

    /// Answers every request with what `answer` makes of it, until all clients have ended. A
    /// client that no longer waits for its reply is ignored.
    ///
    /// # Errors
    ///
    /// Those of [`next_request`](Server::next_request) but [`Error::Closed`], and
    /// [`Error::TooLarge`] or [`Error::Moved`] for a reply.
    pub fn serve(&mut self, mut answer: impl FnMut(Q) -> A) -> Result<(), Error> {
        loop {
            let Request { body, reply } = match self.next_request() {
                Err(Error::Closed) => return Ok(()),
                request => request?,
            };
            if let Err(error) = reply.send(answer(body))
                && matches!(error, Error::TooLarge | Error::Moved)
            {
                return Err(error);
            }
        }
    }

    /// What has been lost since the last call: how clients ended, other than by closing their end,
    /// and which requests could not be decoded.
    pub fn take_lost(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.lost)
    }
}

impl<Q, A> fmt::Debug for Server<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("clients", &self.clients)
            .field("lost", &self.lost)
            .finish()
    }
}
