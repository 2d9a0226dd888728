namespace Sagas.OutboundCalls;

/// <summary>None of a host's addresses may be connected to.</summary>
public sealed class AddressNotAllowedException : IOException
{
    /// <summary>The message names no address: it may leave this system.</summary>
    public AddressNotAllowedException()
        : base("the host's address may not be called") { }
}
