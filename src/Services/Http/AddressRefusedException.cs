namespace Sagas.Services.Http;

/// <summary>A host's addresses are none that this system may connect to.</summary>
public sealed class AddressRefusedException : IOException
{
    /// <summary>Says so without the addresses, which are nobody's business outside.</summary>
    public AddressRefusedException()
        : base("the host's address is not one that may be called")
    {
    }
}
