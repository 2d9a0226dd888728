using System.Data.Common;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.Persistence;

/// <summary>A column of a saga's table: read into an instance, and written from many.</summary>
internal abstract class SagaColumn<TSaga>(string name, string storeType)
{
    /// <summary>Its name, quoted.</summary>
    public string Name => name;

    /// <summary>Its type, without length and precision.</summary>
    public string StoreType => storeType;

    /// <summary>Sets the property to the value of a row.</summary>
    public abstract void Read(DbDataReader reader, int ordinal, TSaga saga);

    /// <summary>The values of instances, as one array.</summary>
    public abstract NpgsqlParameter Values(IReadOnlyList<TSaga> sagas);

    /// <summary>Copies the value, so that a later change of the source is seen.</summary>
    public abstract void Copy(TSaga source, TSaga target);

    /// <summary>Whether two instances have the same value.</summary>
    public abstract bool AreEqual(TSaga first, TSaga second);
}

/// <inheritdoc />
internal sealed class SagaColumn<TSaga, TValue, TStored>(
    string name,
    string storeType,
    NpgsqlDbType type,
    SagaAccess<TSaga, TValue, TStored> access,
    ValueComparer comparer
) : SagaColumn<TSaga>(name, storeType)
{
    public override void Read(DbDataReader reader, int ordinal, TSaga saga) => access.Set(saga, access.Read(reader, ordinal));

    public override NpgsqlParameter Values(IReadOnlyList<TSaga> sagas)
    {
        var values = new TStored[sagas.Count];
        for (var index = 0; index < values.Length; index++)
            values[index] = access.ToStored(access.Get(sagas[index]));
        return new NpgsqlParameter<TStored[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };
    }

    public override void Copy(TSaga source, TSaga target) =>
        access.Set(target, comparer.Snapshot(access.Get(source)) is TValue value ? value : default!);

    public override bool AreEqual(TSaga first, TSaga second) => comparer.Equals(access.Get(first), access.Get(second));
}

/// <summary>How a property is read and written.</summary>
/// <param name="Get">Its value.</param>
/// <param name="Set">Sets its value.</param>
/// <param name="ToStored">Converts a value to that of the column.</param>
/// <param name="Read">Reads and converts the value of the column.</param>
internal sealed record SagaAccess<TSaga, TValue, TStored>(
    Func<TSaga, TValue> Get,
    Action<TSaga, TValue> Set,
    Func<TValue, TStored> ToStored,
    Func<DbDataReader, int, TValue> Read
);
