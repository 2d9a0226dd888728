namespace Sagas.Persistence;

/// <summary>What a commit does with a saga's row.</summary>
internal enum SagaWrite
{
    None,
    Insert,
    Update,
    Delete,
}

/// <summary>A saga in a consume: as it was loaded, and as it is now.</summary>
internal abstract class SagaChange(SagaTable table)
{
    /// <summary>The saga's table.</summary>
    public SagaTable Table => table;

    /// <summary>What the commit does with the row.</summary>
    public SagaWrite Write { get; set; }
}

/// <inheritdoc />
/// <param name="table">The saga's table.</param>
/// <param name="saga">The instance.</param>
/// <param name="loaded">A copy of it as it was loaded; null for a new one.</param>
/// <param name="version">The row's version when it was loaded.</param>
internal sealed class SagaChange<TSaga>(SagaTable table, TSaga saga, TSaga? loaded, uint version) : SagaChange(table)
    where TSaga : class
{
    public TSaga Saga => saga;

    public TSaga? Loaded => loaded;

    public uint Version => version;
}
