using Sagas.Services;

namespace Sagas.UnitTests.Architecture;

/// <summary>A database that has a migration refuses to start with a changed one.</summary>
public sealed class MigrationTests
{
    private static readonly Dictionary<string, string> _checksums = new()
    {
        ["001_persistence"] = "3f7f2489ad1fd2d93b6fc28ed67b7bde83c3b01e885e4f9f0d0bf881e818606b",
        ["002_outbound_calls"] = "ce918637bc2da217cc7a8c2c7792474d27a90e2db5a947cc3b37b5fc966acfe1",
        ["003_payments"] = "e969cc9795bc56cc911763ad74ce9b295e01f93eaa13918ea77614f80a46c172",
        ["004_customers"] = "4ba215539aa75fae2c275c030b659d814ae13ea23cc7b36b9f4500c61566043e",
        ["005_files"] = "babd7cdb220863bb9bd50a3d21007350f565df0864fc4bfe4b6edd46112629d5",
        ["007_object_status"] = "36ffe951dccbbca0c7d91fc7d683a9eb39fcdcc66b64cf4f4a4f1da22cfcffd7",
        ["008_alarms"] = "e2466b247e46b5dd168113d2b417c64aeafa236ddda3a7c7ce65459c6fc63464",
        ["009_alerts"] = "e0f88539f6188919e13f2261b993f03c6c0fc79c60917201c50791267da3684d",
    };

    [Fact]
    public void A_migration_never_changes()
    {
        var changed = Features.Migrations
            .Where(migration => _checksums.TryGetValue(migration.Version, out var checksum) && checksum != migration.Checksum)
            .Select(migration => $"{migration.Version}.sql changed; add a new migration instead.");

        Assert.Empty(changed);
    }

    [Fact]
    public void Every_migration_is_in_the_list()
    {
        var missing = Features.Migrations.Where(migration => !_checksums.ContainsKey(migration.Version))
            .Select(migration => $"Add [\"{migration.Version}\"] = \"{migration.Checksum}\".");
        var removed = _checksums.Keys.Except(Features.Migrations.Select(migration => migration.Version))
            .Select(version => $"{version}.sql was removed; databases that have it remain.");

        Assert.Empty(missing.Concat(removed));
    }
}
