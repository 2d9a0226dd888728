namespace Sagas.Simulators.Faults;

/// <summary>What goes wrong with one request.</summary>
internal enum Fault : byte
{
    None,

    // Nothing is done.
    Down,
    Busy,
    OneTooMany,
    TooManyRequests,
    FailBefore,

    // It is done, but the caller does not learn it.
    FailAfter,
    LostAfter,
    Garbage,
    HalfResponse,
}
