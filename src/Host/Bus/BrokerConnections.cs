using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using Sagas.Host.Settings;

namespace Sagas.Host.Bus;

/// <summary>Connections to the broker besides the bus's.</summary>
internal sealed class BrokerConnections(IOptions<RabbitMqOptions> options)
{
    private readonly RabbitMqOptions _options = options.Value;

    /// <summary>Connects once; a lost connection stays lost.</summary>
    /// <param name="purpose">Shown in the broker's list of connections.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task<IConnection> ConnectAsync(string purpose, CancellationToken cancellationToken) =>
        new ConnectionFactory
        {
            HostName = _options.Address.Host,
            Port = _options.Address.Port,
            VirtualHost = _options.VirtualHost,
            UserName = _options.User,
            Password = _options.Password,
            ClientProvidedName = $"sagas, {purpose}",
            AutomaticRecoveryEnabled = false,
            Ssl = { Enabled = _options.UsesTls, ServerName = _options.Address.Host },
        }.CreateConnectionAsync(cancellationToken);
}
