using System.Data.Common;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.Persistence;

/// <summary>The statements on a saga's table that write many instances at once, without a change tracker.</summary>
internal abstract class SagaTable
{
    /// <summary>The table's name, without schema and quotes.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// The statements for changes of sagas of this table. One fails with <c>division_by_zero</c> where a row is no longer as it
    /// was loaded.
    /// </summary>
    public abstract IEnumerable<NpgsqlBatchCommand> Write(IReadOnlyList<SagaChange> changes);

    /// <summary>Lets a statement fail, and with it the transaction, unless it changes a number of rows.</summary>
    public static NpgsqlBatchCommand Require(NpgsqlBatchCommand command, int rows)
    {
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = rows });
        command.CommandText =
            $"WITH changed AS ({command.CommandText} RETURNING 1) "
            + $"SELECT 1 / (count(*) = ${command.Parameters.Count})::int FROM changed";
        return command;
    }
}

/// <inheritdoc />
internal sealed class SagaTable<TSaga> : SagaTable
    where TSaga : class, ISaga
{
    private readonly Func<TSaga> _create;
    private readonly SagaColumn<TSaga>[] _columns;
    private readonly Func<TSaga, string?>? _state;
    private readonly string _load;
    private readonly string _insert;
    private readonly string _update;
    private readonly string _delete;

    public SagaTable(IEntityType entity, SagaColumn<TSaga>[] columns, Func<TSaga> create, Func<TSaga, string?>? state)
    {
        (Name, _columns, _create, _state) = (entity.GetTableName()!, columns, create, state);
        var table = OutboxTables.Quote(entity);
        var key = columns[0].Name;
        var names = string.Join(", ", columns.Select(column => column.Name));
        var arrays = string.Join(", ", columns.Select((column, index) => $"${index + 1}::{column.StoreType}[]"));
        var values = string.Join(", ", columns.Skip(1).Select(column => $"{column.Name} = u.{column.Name}"));
        _load = $"SELECT xmin, {names} FROM {table} WHERE {key} = ANY ($1)";
        _insert = $"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})";
        _update =
            $"UPDATE {table} t SET {values} FROM unnest({arrays}, ${columns.Length + 1}::xid[]) AS u ({names}, loaded_version) "
            + $"WHERE t.{key} = u.{key} AND t.xmin = u.loaded_version";
        _delete =
            $"DELETE FROM {table} t USING unnest($1::uuid[], $2::xid[]) AS u (id, loaded_version) "
            + $"WHERE t.{key} = u.id AND t.xmin = u.loaded_version";
    }

    public override string Name { get; }

    /// <summary>The value of <c>CurrentState</c>; null where the saga has none, and thus no history.</summary>
    public Func<TSaga, string?>? State => _state;

    /// <summary>Reads the sagas with some ids.</summary>
    public NpgsqlBatchCommand Load(Guid[] ids) =>
        new(_load) { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = ids } } };

    /// <summary>Reads a row of <see cref="Load"/>.</summary>
    public SagaChange<TSaga> Read(DbDataReader reader)
    {
        var (saga, loaded) = (_create(), _create());
        for (var index = 0; index < _columns.Length; index++)
        {
            _columns[index].Read(reader, index + 1, saga);
            _columns[index].Copy(saga, loaded);
        }

        return new(this, saga, loaded, reader.GetFieldValue<uint>(0));
    }

    /// <summary>Whether a saga differs from what was loaded.</summary>
    public bool HasChanged(SagaChange<TSaga> change) =>
        !Array.TrueForAll(_columns, column => column.AreEqual(change.Saga, change.Loaded!));

    public override IEnumerable<NpgsqlBatchCommand> Write(IReadOnlyList<SagaChange> changes)
    {
        var typed = changes.Cast<SagaChange<TSaga>>().ToLookup(change => change.Write);
        if (InOrder(typed[SagaWrite.Insert]) is { Length: > 0 } inserted)
            yield return Command(_insert, inserted, _columns);
        if (InOrder(typed[SagaWrite.Update]) is { Length: > 0 } updated)
            yield return Require(WithVersions(Command(_update, updated, _columns), updated), updated.Length);
        if (InOrder(typed[SagaWrite.Delete]) is { Length: > 0 } deleted)
            yield return Require(WithVersions(Command(_delete, deleted, _columns[..1]), deleted), deleted.Length);
    }

    // Two groups that change the same rows lock them in the same order.
    private static SagaChange<TSaga>[] InOrder(IEnumerable<SagaChange<TSaga>> changes) =>
        [.. changes.OrderBy(change => change.Saga.CorrelationId)];

    private static NpgsqlBatchCommand Command(string sql, SagaChange<TSaga>[] changes, SagaColumn<TSaga>[] columns)
    {
        var command = new NpgsqlBatchCommand(sql);
        var sagas = Array.ConvertAll(changes, change => change.Saga);
        foreach (var column in columns)
            command.Parameters.Add(column.Values(sagas));
        return command;
    }

    private static NpgsqlBatchCommand WithVersions(NpgsqlBatchCommand command, SagaChange<TSaga>[] changes)
    {
        command.Parameters.Add(
            new NpgsqlParameter<uint[]>
            {
                TypedValue = Array.ConvertAll(changes, change => change.Version),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Xid,
            }
        );
        return command;
    }
}
