using Npgsql;
using Sagas.Host.Database;

namespace Sagas.UnitTests.Host;

public sealed class ConnectionStringTests
{
    [Fact]
    public void What_the_connection_string_does_not_set_has_the_defaults_of_a_services_process()
    {
        var used = Used("Host=db;Database=sagas");

        Assert.Equal(100, used.MaxAutoPrepare);
        Assert.Equal(2, used.AutoPrepareMinUsages);
        Assert.Equal(60, used.MaxPoolSize);
        Assert.True(used.NoResetOnClose);
    }

    // Npgsql's own defaults, which are settings all the same when somebody writes them.
    [Fact]
    public void What_the_connection_string_sets_is_kept()
    {
        var used = Used(
            "Host=db;Database=sagas;Max Auto Prepare=0;Auto Prepare Min Usages=5;Maximum Pool Size=100;No Reset On Close=false"
        );

        Assert.Equal(0, used.MaxAutoPrepare);
        Assert.Equal(5, used.AutoPrepareMinUsages);
        Assert.Equal(100, used.MaxPoolSize);
        Assert.False(used.NoResetOnClose);
    }

    // The server processes of a connection, of a second one that is in a transaction, and of the first meanwhile.
    [Theory]
    [InlineData(1, 2, 1, false)]
    [InlineData(1, 1, 1, true)]
    [InlineData(1, 2, 3, true)]
    public void A_pooler_is_refused_that_shares_sessions(int before, int held, int after, bool refused) =>
        Assert.Equal(refused, SessionCheck.AreShared(before, held, after));

    private static NpgsqlConnectionStringBuilder Used(string connectionString) =>
        new(DatabaseRegistration.WithDefaults(connectionString));
}
