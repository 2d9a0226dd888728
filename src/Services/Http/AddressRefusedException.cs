namespace Sagas.Services.Http;

/// <summary>A host's addresses are none that this system may connect to.</summary>
public sealed class AddressRefusedException : IOException
{
    /// <summary>The message omits the addresses, which the caller need not know.</summary>
    public AddressRefusedException()
        : base("the host's address is not one that may be called")
    {
    }
}
