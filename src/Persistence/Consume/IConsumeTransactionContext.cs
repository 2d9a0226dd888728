namespace Sagas.Persistence;

/// <summary>Gives what runs inside a consume the transaction that it is part of.</summary>
internal interface IConsumeTransactionContext
{
    ConsumeTransaction Transaction { get; }
}
